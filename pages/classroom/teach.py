"""Lead the class: its code, votes, follow me, hand-ins, where everyone is, and the server."""

from explorer.ui.classroom import teacher
from explorer.ui.components.heading import show_page_heading

show_page_heading("classroom/teach.py")
teacher.show()
