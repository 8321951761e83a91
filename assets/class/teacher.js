// Moves the token from behind # into the form and sends it, so that it stays in no history and no log.
const token = decodeURIComponent(location.hash.slice(1))
if (token) {
  history.replaceState(null, "", location.pathname)
  document.getElementById("token").value = token
  document.querySelector("form").submit()
}
