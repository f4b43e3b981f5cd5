/* Shows and hides questions as answers change, and offers to copy or print the reply code. Everything works without it. */
(function () {
  'use strict';
  function all(selector, inside) { return [].slice.call((inside || document).querySelectorAll(selector)); }
  var form = document.getElementById('answers');
  var ruled = form ? all('[data-when]', form) : [];

  function fields(key) {
    return all('input,textarea', form).filter(function (one) { return one.name === key; });
  }
  function digits(text) {
    return text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, function (one) { return one.charCodeAt(0) & 15; });
  }
  /* The answer to a question: a list of codes, a text, or null where it is open or hidden. */
  function answer(key) {
    var home = document.getElementById('q-' + key);
    if (!home || home.hidden || fields(key + '~').some(function (one) { return one.checked; })) return null;
    var found = fields(key), text = found[0] && found[0].type !== 'radio' && found[0].type !== 'checkbox';
    if (text) return found[0].value.trim() ? [digits(found[0].value.trim())] : null;
    var codes = found.filter(function (one) { return one.checked; }).map(function (one) { return one.value; });
    return codes.length && codes[0].charAt(0) !== '~' ? codes : null;
  }
  function holds(rule) {
    var parts = rule.slice(1);
    if (rule[0] === 'not') return !holds(rule[1]);
    if (rule[0] === 'and') return parts.every(holds);
    if (rule[0] === 'or') return parts.some(holds);
    var said = answer(rule[1]), value = rule[2];
    if (said === null) return rule[0] === 'is not answered';
    switch (rule[0]) {
      case 'is answered': return true;
      case 'is': case 'includes': return said.indexOf(value) >= 0;
      case 'is not': case 'does not include': return said.indexOf(value) < 0;
      case '<': return said[0] < value;
      case '<=': return said[0] <= value;
      case '>': return said[0] > value;
      case '>=': return said[0] >= value;
      case '=': return +said[0] === value;
    }
    return false;
  }
  function look() {
    ruled.forEach(function (one) { one.hidden = !holds(JSON.parse(one.getAttribute('data-when'))); });
  }
  /* "None of these" stands alone: choosing it takes the other marks away, and the other way round. */
  function alone(event) {
    var one = event.target, home = one.parentNode && one.parentNode.parentNode;
    if (one.type !== 'checkbox' || !one.checked || !home) return;
    all('input[type=checkbox]', home).forEach(function (other) {
      if (other !== one && (one.hasAttribute('data-alone') || other.hasAttribute('data-alone'))) other.checked = false;
    });
  }
  if (form) {
    all('[data-when] .direction', form).forEach(function (one) { one.hidden = true; });
    form.addEventListener('change', function (event) { alone(event); look(); });
    form.addEventListener('input', look);
    look();
    var problems = document.getElementById('problems');
    if (problems) problems.focus();
  }
  all('[data-print]').forEach(function (one) {
    one.hidden = false;
    one.onclick = function () { window.print(); };
  });
  all('[data-copy]').forEach(function (one) {
    if (!navigator.clipboard) return;
    one.hidden = false;
    one.onclick = function () {
      navigator.clipboard.writeText(document.getElementById(one.getAttribute('data-copy')).textContent);
      one.setAttribute('aria-pressed', 'true');
    };
  });
})();
