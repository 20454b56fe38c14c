// One year answered while somebody moves it: asked at once, the newest that waits wins, the map drawn from the answer.

// A run's document with the moved year laid over it; what an answer does not tell stays that of the run.
export function laidOver(doc, answer) {
  const index = doc.years.indexOf(answer.year);
  if (index < 0) return doc;
  const put = (list, value) => list.map((old, at) => (at === index ? value : old));
  const flows = new Map(answer.links.map((row) => [row.link_id, row.flow_kt]));
  const rows = new Map(answer.facilities.map((row) => [row.facility_id, row]));
  return {
    ...doc,
    links: doc.links.map((link) => {
      const flow = flows.get(link.link_id) ?? 0;
      const isForward = link.forward_kt[index] >= link.backward_kt[index];
      return { ...link, forward_kt: put(link.forward_kt, isForward ? flow : 0), backward_kt: put(link.backward_kt, isForward ? 0 : flow) };
    }),
    facilities: doc.facilities.map((facility) => {
      const row = rows.get(facility.facility_id);
      if (!row) return facility;
      const own = facility.scenario;
      const isFull = row.use_share >= 0.9995 || row.shadow_price_usd_per_unit > 0;
      return {
        ...facility,
        scenario: {
          ...own,
          flow: put(own.flow, row.flow),
          capacity: put(own.capacity, row.capacity),
          turned_away: put(own.turned_away, row.turned_away),
          shadow_price_usd_per_t: put(own.shadow_price_usd_per_t, row.shadow_price_usd_per_t),
          is_full: put(own.is_full, isFull),
        },
      };
    }),
  };
}

export const changesOf = (answer) => Object.fromEntries(answer.links.map((row) => [row.link_id, row.difference_kt ?? row.flow_kt]));

// `body()` gives what is asked for, or null where nothing is moved; one request is on its way at a time, then the newest.
export function makeLive({ server, body, onanswer, onrefusal, onwait }) {
  let since = null; // when the newest input came
  let isBusy = false;
  let isPending = false;

  async function send() {
    if (isBusy) {
      isPending = true;
      return;
    }
    const asked = body();
    if (!asked) return onanswer(null, null);
    const began = since;
    isBusy = true;
    onwait(true);
    try {
      const answer = await server.ask("/api/live", { method: "POST", body: asked, isBare: true });
      if (began !== null) performance.measure("karvan-live-answer", { start: began });
      onanswer(answer, { asked, began });
    } catch (refusal) {
      if (refusal.status !== 409) onrefusal(refusal); // 409: overtaken by a newer move
    } finally {
      isBusy = false;
      onwait(isPending);
    }
    if (isPending) {
      isPending = false;
      send();
    }
  }

  return {
    moved(at = performance.now()) {
      since = at;
      send();
    },
  };
}
