/* Copies a text of the page. Without it, the text can be selected. */
(function () {
  'use strict';
  if (!navigator.clipboard) return;
  document.querySelectorAll('[data-copy]').forEach(function (one) {
    one.hidden = false;
    one.addEventListener('click', function () {
      navigator.clipboard.writeText(document.getElementById(one.getAttribute('data-copy')).textContent).then(function () {
        one.textContent = one.getAttribute('data-copied');
      }, function () {});
    });
  });
})();
