// Takes the figures anew every two seconds. Without it the page shows those of the moment it was asked for.
"use strict";
setInterval(async () => {
  if (document.hidden) return;
  const note = document.getElementById("stale");
  try {
    const answer = await fetch("/", { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["about", "live"]) document.getElementById(id).replaceWith(fresh.getElementById(id));
    note.textContent = "";
  } catch {
    note.textContent = "no answer: these figures are old";
  }
}, 2000);
