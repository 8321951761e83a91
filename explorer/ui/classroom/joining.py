"""The page on which students join the class and leave it."""

import streamlit as st

from explorer.classroom.names import CODE_LENGTH, MAX_NICKNAME, parse_code
from explorer.classroom.records import ClassError, Member, News
from explorer.ui import messages
from explorer.ui.classroom import session
from explorer.views import formatting as fmt

CODE_PARAMETER = "code"
_CODE, _NICKNAME = "class_code", "class_nickname"


def show() -> None:
    """Show how to join; to a member, what they can do in their class."""
    try:
        found = session.member()
        current = session.news(found.classroom) if found else None
    except ClassError as error:
        st.error(str(error), icon=":material/cloud_off:")
        return
    if found and current:
        _show_membership(found, current)
    else:
        _show_form()
    if session.problem():
        messages.show_refusal(session.problem())


def _show_form() -> None:
    if _CODE not in st.session_state:
        st.session_state[_CODE] = parse_code(st.query_params.get(CODE_PARAMETER, ""))
    with st.form("class_join", width=520, border=False):
        st.text_input("Code", key=_CODE, max_chars=CODE_LENGTH + 4, help="It is on the projector.")
        _nickname_field()
        st.form_submit_button("Join", type="primary", icon=":material/login:", on_click=_join)


def _nickname_field() -> None:
    st.text_input(
        "Nickname (optional)",
        key=_NICKNAME,
        max_chars=MAX_NICKNAME,
        help="Your teacher sees it with the page that you are on and with what you hand in, never with your votes.",
    )
    st.caption("Without a nickname you are counted and not named. All of it is deleted when the class ends.")


def _join() -> None:
    session.join(parse_code(st.session_state[_CODE]), st.session_state[_NICKNAME])
    st.query_params.pop(CODE_PARAMETER, None)


def _show_membership(found: Member, current: News) -> None:
    named = f"as **{fmt.markdown(found.nickname)}**" if found.nickname else "without a nickname"
    st.markdown(
        f":material/check_circle: You are in the class **{current.classroom.code}**, {named}. Go on to any page: when "
        "your teacher asks a question, it appears there."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Leave the class", icon=":material/logout:", on_click=_leave, key="class_leave")


def _leave() -> None:
    session.act_as_member(lambda store, member: store.members.leave(member.number))
