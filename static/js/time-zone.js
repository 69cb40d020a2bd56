// Tells the server in which time zone the visitor is, by a cookie, so that it can say how far away the business's clock is.
// When that is news, the sentence is fetched again; nothing else on the page depends on it.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.match(/(?:^|; )zone=([^;]*)/)?.[1];

if (zone && known !== encodeURIComponent(zone)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
  const sentence = document.getElementById("zone");
  if (sentence && window.htmx) {
    window.htmx.ajax("GET", location.href, { target: "#zone", select: "#zone", swap: "outerHTML" });
  }
}
