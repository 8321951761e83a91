"""Give the network a picture and see it at work."""

import streamlit as st

from explorer.ui.lab.look_inside import answer, images, selection, views, weights

selection.follow_url()
weights.show_weights()
left, right = st.container(key="look_top").columns(2, gap="medium")
with left:
    images.show_image_picker()
pick, picks = images.selected_image(), images.chosen_images()
if pick is None:
    right.info("No picture is on the desk yet. Choose, upload, take or draw one.", icon=":material/image:")
else:
    with right:
        answer.show_scaled()
        answer.show_answer(pick)
        if len(picks) > 1:
            answer.show_batch(picks)
    with left:
        images.show_steps(pick)
    views.show_views(pick, picks)
