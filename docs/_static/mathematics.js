/* KaTeX's MathML has no space between "log" and what follows, unless that is a bracket. */
document.addEventListener("DOMContentLoaded", () => {
  for (const sign of document.querySelectorAll("math mo")) {
    if (sign.textContent !== "\u2061") continue; // "apply function", which is invisible
    const next = sign.nextElementSibling ?? sign.parentElement.parentElement.nextElementSibling;
    if (next && next.getAttribute("stretchy") !== "false") sign.setAttribute("rspace", "0.17em");
  }
});
