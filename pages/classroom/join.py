"""Join the class of a teacher."""

from explorer.ui.classroom import joining
from explorer.ui.components.heading import show_page_heading

show_page_heading("classroom/join.py")
joining.show()
