// Sets the theme before the first paint; a file of its own because the CSP allows no inline script.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem("mumian.theme");
  } catch (e) {
    theme = null;
  }
  if (theme !== "light" && theme !== "dark") theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme;
})();
