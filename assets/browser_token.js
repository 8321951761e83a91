// Stores data.token in a cookie of this browser, unless it has one: after a reload it proves which runs are its own.
const YEAR_S = 365 * 24 * 3600;

export default function ({ data: { name, token } }) {
  if (document.cookie.split("; ").some((cookie) => cookie.startsWith(`${name}=`))) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${token}; Max-Age=${YEAR_S}; Path=/; SameSite=Lax${secure}`;
}
