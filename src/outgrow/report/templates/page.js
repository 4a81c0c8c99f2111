// Tooltips for mouse, pen and finger. Without this script the browser shows the same words as plain titles.
const tip = document.body.appendChild(document.createElement("div"));
tip.className = "tip";
for (const title of document.querySelectorAll("figure svg title")) {
  title.parentNode.dataset.tip = title.textContent;
  title.remove();
}
const show = (event) => {
  const mark = event.target.closest ? event.target.closest("[data-tip]") : null;
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  const left = event.clientX - tip.offsetWidth / 2, most = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = Math.max(8, Math.min(left, most)) + "px";
  tip.style.top = (event.clientY > tip.offsetHeight + 20 ? event.clientY - tip.offsetHeight - 14 : event.clientY + 18) + "px";
};
tip.hidden = true;
for (const kind of ["pointermove", "pointerdown"]) document.addEventListener(kind, show, { passive: true });
document.addEventListener("scroll", () => (tip.hidden = true), { passive: true });
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
