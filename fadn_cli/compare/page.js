"use strict";
const root = document.documentElement;

// A pair becomes a slider: the range input lies invisibly over the picture, so that mouse, touch
// and keyboard all work as the browser's own.
function makeSlider(pair) {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: 0, max: 100, step: "any", value: 50 });
  input.setAttribute("aria-label", "Before and after: " + pair.dataset.name);
  const show = () => {
    const split = Number(input.value);
    pair.style.setProperty("--split", split + "%");
    input.setAttribute("aria-valuetext", Math.round(split) + " % before");
  };
  input.addEventListener("input", show);
  pair.classList.add("slider");
  const stage = pair.querySelector(".stage");
  stage.insertBefore(input, stage.querySelector(".marks")); // the order of the Tab key
  show();
  return (value) => { input.value = value; show(); };
}

const sliders = Array.from(document.querySelectorAll(".pair"), makeSlider);
const tools = document.querySelector(".tools");
tools.hidden = false;
tools.addEventListener("change", ({ target }) => {
  if (target.name === "show") sliders.forEach((move) => move(target.value));
  if (target.name === "zoom") root.style.setProperty("--zoom", target.value);
  if (target.name === "exposure") {
    root.style.setProperty("--exposure", target.value === "0" ? "none" : `url(#ev${target.value})`);
  }
});
tools.addEventListener("submit", (event) => event.preventDefault());
tools.reset(); // what a reloading browser remembers is not what is shown

// At 100 % a pixel of the photograph is a whole number of the screen's.
function fitPixels() {
  const ratio = window.devicePixelRatio || 1;
  root.style.setProperty("--pixel", Math.max(Math.round(ratio), 1) / ratio);
}
window.addEventListener("resize", fitPixels);
fitPixels();
