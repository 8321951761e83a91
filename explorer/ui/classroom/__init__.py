"""The class on the screen: what a student sees, and the teacher's page."""
