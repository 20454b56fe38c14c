// One question of a room and its answer, which stays on the desk while other rooms are looked at.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { spoken } from "../names.js";

// `name` is the view, the path of the server and where the answer stands on the desk; `viewOf` makes the view of an answer.
export function question(app, { name, place, start, said, run, viewOf }) {
  const { desk, store, server } = app;
  const [askedKey, waitingKey] = [`${name}Asked`, `${name}Waits`];
  let shown = null;

  function wait(isOn) {
    desk.set({ [waitingKey]: isOn });
    start.disabled = isOn || !server.mayChange();
    said.textContent = isOn ? t("energy.asking") : "";
  }

  // `asked` is kept as the room's form; an empty `network` is that of the run that is looked at.
  async function ask(asked) {
    desk.set({ [askedKey]: asked, [name]: null });
    wait(true);
    const { network: scenario, ...rest } = asked;
    const body = { client: app.client, ...rest, ...(scenario ? { scenario } : { run_id: run?.run_id ?? null }) };
    try {
      desk.set({ [name]: await server.ask(`/api/${name}`, { method: "POST", body }) });
    } catch (refusal) {
      place.replaceChildren(h("p", { class: "card problem", role: "alert" }, refusal.message));
    }
    wait(false);
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
  return { ask, view };
}
