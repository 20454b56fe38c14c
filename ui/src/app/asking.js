// One question of a room and its answer, which stays on the desk while other rooms are looked at.
import { button, h } from "../dom.js";
import { t } from "../i18n.js";
import { spoken } from "../names.js";

const POLL_MS = 700;

// `name` is the view, the path of the server and where the answer stands on the desk; `viewOf` makes the view of an answer. A long one
// says how far it is and can be cancelled: `controls` are for the form.
export function question(app, { name, place, start, said, run, viewOf, asking = t("energy.asking"), mayAsk = true, isLong = false }) {
  const { desk, store, server } = app;
  const [askedKey, waitingKey] = [`${name}Asked`, `${name}Waits`];
  const path = `/api/${name}/${app.client}`;
  const cancel = button(t("crossing.cancel"), stop, { id: `${name}-cancel`, hidden: true });
  const bar = h("progress", { id: `${name}-progress`, hidden: true, "aria-label": asking });
  let shown = null;

  function wait(isOn, told = isOn ? asking : "") {
    desk.set({ [waitingKey]: isOn });
    start.disabled = isOn || !mayAsk || !server.mayChange();
    cancel.hidden = bar.hidden = !isOn;
    if (isOn) place.setAttribute("aria-busy", "true");
    else place.removeAttribute("aria-busy");
    said.textContent = told;
    if (isOn && isLong) requestAnimationFrame(watch);
  }

  // Of what goes on, also where the room was left and is opened again.
  async function watch() {
    while (desk.get()[waitingKey] && place.isConnected) {
      try {
        const { step } = await server.ask(path);
        if (desk.get()[waitingKey]) said.textContent = step || asking;
      } catch {
        return; // the bar says that the server cannot be reached
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  async function stop() {
    try {
      await server.ask(path, { method: "DELETE" });
    } catch {
      // it ended by itself
    }
  }

  // `asked` is kept as the room's form; an empty `network` is that of the run that is looked at. `more` is what the form calls otherwise.
  async function ask(asked, more = {}) {
    desk.set({ [askedKey]: asked, [name]: null });
    wait(true);
    const { network: scenario, ...rest } = { ...asked, ...more };
    const body = { client: app.client, ...rest, ...(scenario ? { scenario } : { run_id: run?.run_id ?? null }) };
    let told = "";
    try {
      desk.set({ [name]: await server.ask(`/api/${name}`, { method: "POST", body }) });
    } catch (refusal) {
      if (refusal.problems?.some((problem) => problem.key === "cancelled")) told = t("crossing.cancelled");
      else place.replaceChildren(h("p", { class: "card problem", role: "alert" }, refusal.message));
    }
    wait(false, told);
    if (desk.get().view !== name || !desk.get()[name]) return;
    if (!place.isConnected)
      app.go(name); // left and opened again meanwhile
    else {
      draw();
      place.querySelector("h2").focus({ preventScroll: true });
    }
  }

  function draw() {
    shown?.forget();
    const answer = spoken(desk.get()[name]);
    shown = viewOf(answer)({ store }, answer);
    place.replaceChildren(shown.element);
    for (const view of shown.views) view.draw(null);
  }

  const view = {
    keys: ["theme", "still"],
    draw(changed) {
      if (changed !== null)
        return void shown?.views.forEach((each) => each.keys.some((key) => changed.includes(key)) && each.draw(changed));
      wait(Boolean(desk.get()[waitingKey]));
      if (desk.get()[name]) draw();
    },
  };
  return { ask, view, controls: isLong ? [cancel, bar] : [] };
}
