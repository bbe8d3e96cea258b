// In pages of Dash, which ignores that a session has ended: goes to the login page, and back later.
(function () {
  "use strict";
  var login = document.currentScript.dataset.login;
  var fetch = window.fetch;
  window.fetch = function () {
    return fetch.apply(this, arguments).then(function (response) {
      var challenge = response.headers.get("WWW-Authenticate") || "";
      if (response.status !== 401 || challenge.indexOf("Session") !== 0) {
        return response;
      }
      var here = location.pathname + location.search + location.hash;
      location.assign(login + "?next=" + encodeURIComponent(here));
      // The page is left: nothing else should happen in it.
      return new Promise(function () {});
    });
  };
})();
