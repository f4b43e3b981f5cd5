// Keying from the keyboard alone. The page is a plain form without this; nothing here is needed to save a sheet.
"use strict";
(function () {
  const form = document.querySelector("form[data-keying]");
  if (!form) return;
  const slots = Array.from(form.querySelectorAll("[data-slot]"));
  const say = form.querySelector("[data-say]");
  const kept = form.querySelector("[data-kept]");
  const help = document.querySelector("[data-help]");
  const save = form.querySelector("[data-save]");
  const more = form.querySelector("[data-more]");
  const words = form.dataset;
  let now = -1;

  // Digits and letters of any keyboard: what is not ASCII is read from the place of the key.
  function symbol(event) {
    if (event.key.length !== 1 || event.key.charCodeAt(0) < 127) return event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
    return place ? place[1].toLowerCase() : event.key;
  }

  function inputs(slot) { return Array.from(slot.querySelectorAll("input[type=radio],input[type=checkbox]")); }
  function written(slot) { return slot.querySelector("input[type=text],textarea"); }
  function byKey(slot, key) { return inputs(slot).find(function (box) { return box.dataset.key === key; }); }
  function byMark(slot, mark) { return inputs(slot).find(function (box) { return box.dataset.mark === mark; }); }
  function printed(slot, name) {
    return inputs(slot).find(function (box) { return box.value === "~" + name || box.value === name; });
  }
  function answered(slot) {
    const text = written(slot);
    return (text && text.value.trim() !== "") || inputs(slot).some(function (box) { return box.checked && box.value !== ""; });
  }
  function shade(slot) { slot.classList.toggle("keyed", answered(slot)); }
  function tell(text) { say.textContent = text; }
  function place() { return words.place.replace("{number}", now + 1).replace("{all}", slots.length); }

  function stand(index, focus) {
    if (now >= 0 && now < slots.length) slots[now].classList.remove("now");
    now = Math.max(0, Math.min(index, slots.length));
    if (now === slots.length) {
      save.classList.add("now");
      save.focus({ preventScroll: true });
      save.scrollIntoView({ block: "center" });
      return;
    }
    save.classList.remove("now");
    const slot = slots[now];
    slot.classList.add("now");
    if (focus === false) return; // under a mouse nothing may move, or its click goes astray
    (written(slot) || slot).focus({ preventScroll: true });
    slot.scrollIntoView({ block: "center" });
  }

  function advance(what) {
    const slot = slots[now];
    shade(slot);
    keepSoon();
    stand(now + 1);
    tell((what ? what + " " : "") + (now === slots.length ? words.end : place()));
  }

  function clear(slot) {
    const text = written(slot);
    if (text) text.value = "";
    inputs(slot).forEach(function (box) { box.checked = box.value === "" && box.type === "radio"; });
  }

  function named(box) { return box.closest("label").querySelector("[data-name]").textContent.trim(); }

  function choose(slot, box) {
    const several = box.type === "checkbox" && !("mark" in box.dataset);
    if (several) {
      box.checked = !box.checked;
      shade(slot);
      keepSoon();
      tell((box.checked ? words.on : words.off).replace("{choice}", named(box)));
      return;
    }
    if ("mark" in box.dataset) clear(slot);
    box.checked = true;
    advance(named(box));
  }

  function mark(slot, name) {
    if (name === "blank") { clear(slot); advance(words.blank); return true; }
    const box = byMark(slot, name) || printed(slot, name);
    if (box) { choose(slot, box); return true; }
    return false;
  }

  const MARKS = { "0": "blank", " ": "blank", "-": "unclear", "*": "two_marks", "/": "refused", "r": "refused" };

  function command(slot, key) {
    const box = byKey(slot, key);
    if (box) { choose(slot, box); return true; }
    if (key in MARKS && mark(slot, MARKS[key])) return true;
    if (key === "+" && more) { more.click(); return true; }
    if (key.length === 1 && /[0-9a-z*\/-]/.test(key)) { tell(words.nobox.replace("{key}", key)); return true; }
    return false;
  }

  // In a written field a key is text first. A number field has no letters, so letters are boxes there.
  function inText(slot, field, key) {
    if (key === "Escape") { slot.focus(); return true; }
    if (key === "Backspace" && field.value === "") { back(); return true; }
    if (slot.dataset.kind === "number" || slot.dataset.kind === "date") {
      const box = byKey(slot, key);
      if (box) { choose(slot, box); return true; }
      if (key === "+" && field.value === "" && more) { more.click(); return true; }
      if (key in MARKS && field.value === "" && key !== "0" && !(key === "-" && slot.dataset.below)) return mark(slot, MARKS[key]);
    }
    return false;
  }

  function back() {
    if (now > 0) stand(now - 1);
    tell(place());
  }

  function enter(event, field) {
    if (field && field.tagName === "TEXTAREA" && !event.ctrlKey && field.value !== "") return false;
    if (now < slots.length) advance("");
    return true;
  }

  function press(event) {
    if (event.isComposing || event.altKey || event.metaKey || (event.ctrlKey && event.key !== "Enter")) return;
    if (help.open) return;
    const target = event.target;
    if (target.closest("button, a, summary, select") && target !== save) return;
    if (!form.contains(target) && target !== document.body && target.id !== "main") return;
    const key = symbol(event);
    const slot = slots[now];
    const field = slot && target === written(slot) ? target : null;
    let done = false;
    if (key === "?" && !(field && slot.dataset.kind.endsWith("words"))) { help.showModal(); done = true; }
    else if (target === save) { if (key === "Backspace") { back(); done = true; } }
    else if (key === "Enter") done = enter(event, field);
    else if (field) done = inText(slot, field, key);
    else if (key === "Backspace") { back(); done = true; }
    else if (key === " " && target !== slot && target !== document.body) done = false;
    else if (slot) done = command(slot, key);
    if (done) event.preventDefault();
  }

  // What is keyed goes to the server after every answer; one request at a time, the newest marks win.
  let timer = 0, sending = false, again = false;

  function keepSoon() { clearTimeout(timer); timer = setTimeout(keep, 300); }

  function keep() {
    clearTimeout(timer);
    timer = 0;
    if (sending) { again = true; return; }
    sending = true;
    fetch(words.draft, { method: "POST", body: new FormData(form), redirect: "manual", credentials: "same-origin" })
      .then(function (answer) {
        if (answer.status === 204) return "";
        return answer.type === "opaqueredirect" || answer.status === 400 ? renew() : words.notkept;
      })
      .catch(function () { return words.notkept; })
      .then(function (problem) {
        sending = false;
        report(problem);
        if (again && !problem) { again = false; keep(); }
        if (problem) timer = setTimeout(keep, 10000);
      });
  }

  // Signed out and in again in another tab: the page goes on with the new session's token.
  function renew() {
    return fetch(words.page, { redirect: "manual", credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("form[data-keying] [name=csrf_token]");
        if (!fresh) return words.signedout;
        again = form.elements.csrf_token.value !== fresh.value;
        form.elements.csrf_token.value = fresh.value;
        return again ? "" : words.notkept;
      });
  }

  function report(problem) {
    kept.textContent = problem || words.keptnow;
    kept.classList.toggle("wrong", problem !== "");
  }

  document.addEventListener("keydown", press);
  form.addEventListener("change", function (event) {
    const slot = event.target.closest("[data-slot]");
    if (slot) { shade(slot); keepSoon(); }
  });
  form.addEventListener("input", keepSoon);
  form.addEventListener("submit", function () { clearTimeout(timer); leaving = true; });
  form.addEventListener("focusin", function (event) {
    const at = slots.indexOf(event.target.closest("[data-slot]"));
    if (at >= 0 && at !== now) stand(at, false);
  });
  let leaving = false;
  window.addEventListener("pagehide", function () {
    if (!leaving && timer) navigator.sendBeacon(words.draft, new FormData(form));
  });

  slots.forEach(function (slot) { slot.tabIndex = -1; shade(slot); });
  form.classList.add("by-keyboard");
  const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const wanted = slots.findIndex(function (slot) { return aim && (slot === aim || aim.contains(slot)); });
  const last = slots.reduce(function (found, slot, index) { return answered(slot) ? index : found; }, -1);
  stand(wanted >= 0 ? wanted : form.dataset.resume ? Math.min(last + 1, slots.length) : 0);
  tell(now < slots.length ? place() : words.end);
})();
