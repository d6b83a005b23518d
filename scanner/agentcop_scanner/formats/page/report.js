"use strict";
// Filters, whose state is in the address after "#", and open findings for printing. Without this file all is shown.
const form = document.getElementById("filters");
const findings = [...document.querySelectorAll("details.finding")];
const count = form.querySelector("output");

// Each file's heading, which its sum follows, with the findings under it.
const files = new Map();
let under = [];
for (const one of document.querySelectorAll("h2[id^=file-], details.finding")) {
  if (one.localName === "h2") {
    under = [];
    files.set(one, under);
  } else {
    under.push(one);
  }
}

function chosen(name) {
  return [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value);
}

function show() {
  const severity = new Set(chosen("severity"));
  const status = new Set(chosen("status"));
  const rule = form.elements.rule.value;
  const text = form.elements.text.value.trim().toLowerCase();
  let shown = 0;
  for (const one of findings) {
    const fits =
      severity.has(one.dataset.severity) &&
      status.has(one.dataset.status) &&
      (!rule || one.dataset.rule === rule) &&
      (!text || one.textContent.toLowerCase().includes(text));
    one.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const [heading, held] of files) {
    const empty = held.length > 0 && held.every((one) => one.hidden);
    heading.hidden = empty;
    heading.nextElementSibling.hidden = empty;
  }
  count.textContent = `${shown.toLocaleString("en")} of ${findings.length.toLocaleString("en")} shown`;
}

function write() {
  const state = new URLSearchParams();
  for (const name of ["severity", "status"]) {
    const values = chosen(name);
    if (values.length !== form.querySelectorAll(`input[name=${name}]`).length) {
      state.set(name, values.join(","));
    }
  }
  for (const name of ["rule", "text"]) {
    if (form.elements[name].value) {
      state.set(name, form.elements[name].value);
    }
  }
  history.replaceState(null, "", `#${state}`);
}

function read() {
  const hash = location.hash.slice(1);
  const target = hash && document.getElementById(hash);
  if (target) {
    for (let node = target; node; node = node.parentElement) {
      if (node.localName === "details") {
        node.open = true;
      }
    }
    return;
  }
  const state = new URLSearchParams(hash);
  for (const name of ["severity", "status"]) {
    const wanted = state.has(name) ? state.get(name).split(",") : null;
    for (const box of form.querySelectorAll(`input[name=${name}]`)) {
      box.checked = wanted === null || wanted.includes(box.value);
    }
  }
  for (const name of ["rule", "text"]) {
    form.elements[name].value = state.get(name) || "";
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
  write();
  show();
});
window.addEventListener("hashchange", () => {
  read();
  show();
});
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((one) => (one.open = true));
});
window.addEventListener("afterprint", () => closed.forEach((one) => (one.open = false)));
form.hidden = false;
read();
show();
