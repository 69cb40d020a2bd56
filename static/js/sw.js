// The service worker of the site, served as /sw.js. It shows notifications and opens their page, and does nothing else:
// no page and no file goes through it.

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    return;
  }
  const options = { body: told.body, tag: told.tag, data: { url: told.url } };
  event.waitUntil(self.registration.showNotification(told.title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = event.notification.data?.url;
  if (url && new URL(url, self.location.origin).origin === self.location.origin) event.waitUntil(clients.openWindow(url));
});
