// Runs that are being made: followed by server-sent events, cancelled, resumed.
import { t } from "../i18n.js";
import { saidOf } from "./server.js";

export const isEnded = (job) => job.ended_at !== null;

// Follows a job until it ends; a line that breaks is taken up again by the browser from the last event on.
export function follow(server, jobId, tell) {
  const events = new EventSource(`/api/jobs/${jobId}/events`);
  const take = (event) => {
    const job = JSON.parse(event.data);
    tell(job);
    if (isEnded(job)) events.close();
  };
  for (const name of ["waiting", "running", "progress", "done", "failed", "cancelled", "interrupted"]) events.addEventListener(name, take);
  events.addEventListener("error", async () => {
    try {
      const job = await server.ask(`/api/jobs/${jobId}`);
      tell(job);
      if (isEnded(job)) events.close();
      else if (events.readyState === EventSource.CLOSED) follow(server, jobId, tell);
    } catch (refusal) {
      if (refusal.status === 404) events.close();
    }
  });
  return () => events.close();
}

export function toldOf(job) {
  if (job.state === "waiting") return job.waits_for ? t("job.waits_for", { count: job.waits_for }) : t("job.waiting");
  const { step, message } = job.progress;
  if (job.state === "running") return message ? t(message.key, message.values) : step || t("job.running");
  if (job.state === "done") return t(job.is_reused ? "job.reused" : "job.done");
  const words = job.problems.map(saidOf).join(" ");
  return words ? `${t(`job.${job.state}`)}: ${words}` : t(`job.${job.state}`);
}
