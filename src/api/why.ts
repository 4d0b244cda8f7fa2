import { events } from "../model/event.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { type Container, type ContainerStatus, driverOf, type Pod, pods } from "../model/pod.ts";
import type { WhyPod, WhyReport } from "../model/reports.ts";
import type { Workload, WorkloadPod } from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Reader } from "../store/transaction.ts";
import { drainSentences } from "./drain-sentences.ts";
import { eventRow, inOrder } from "./event-rows.ts";
import type { Explainer, PlacementExplanation } from "./explainer.ts";
import type { Found } from "./find.ts";
import { disruptionSentences, lossSentences } from "./loss.ts";
import { containerError, endSentence, isNeverExecuted, isNotStarted } from "./pod-view.ts";
import { slices } from "./slices.ts";

const EVENTS_SHOWN = 10;
/** The worst; of the others it is said how many there are. */
const COPIES_SHOWN = 10;

interface Tools {
  readonly clock: Clock;
  readonly explain?: Explainer;
  readonly isLed?: () => boolean;
}

/**
 * Why a workload is as it is: copy by copy, worst first. The scheduler is asked only where its answer is news: for what
 * has no node, once per template, and for a copy that was asked for alone.
 */
export async function whyReport(
  reader: Reader,
  { workload, pods: meant }: Found,
  { clock, explain, isLed }: Tools,
): Promise<WhyReport> {
  const ordered = [...meant].sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1));
  const explained = explain && oncePerTemplate(explain, meant.length === 1);
  const slice = slices(clock);
  const copies: WhyPod[] = [];
  for (const view of ordered.slice(0, COPIES_SHOWN)) {
    copies.push(whyPod(reader, view, explained));
    await slice();
  }
  const others = othersOf(ordered.slice(COPIES_SHOWN));
  const age = isLed?.() === false ? UNLED : "";
  return { workload, summary: `${summaryOf(workload)}${others}${age}`, pods: copies, next: nextCommands(workload) };
}

/** Where it could go now, only the server that leads can say. */
const UNLED = "; no server leads at present: this is as it was known last, and nothing is placed until one does";

/** What keeps a copy from its place keeps the next one of the same template from it, too. */
function oncePerTemplate(explain: Explainer, isAlone: boolean): Explainer {
  const known = new Map<string, PlacementExplanation | undefined>();
  return (pod) => {
    if (isOver(pod) || (pod.spec.nodeName !== undefined && !isAlone)) return undefined;
    const { namespace, labels } = pod.metadata;
    const template = JSON.stringify([namespace, labels, pod.spec]);
    if (!known.has(template)) known.set(template, explain(pod));
    return known.get(template);
  };
}

/** `; of 490 more copies, 480 are running and 10 unplaced`. */
function othersOf(views: readonly WorkloadPod[]): string {
  if (views.length === 0) return "";
  const counts = new Map<string, number>();
  for (const { status } of views) counts.set(status, (counts.get(status) ?? 0) + 1);
  const words = [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
  return `; not shown: ${views.length} more ${views.length === 1 ? "copy" : "copies"} (${words})`;
}

const RANK: readonly Workload["status"][] = [
  "failed",
  "lost",
  "restarting",
  "unplaced",
  "pending",
  "starting",
  "degraded",
  "stopping",
  "running",
  "done",
  "stopped",
];

function rank({ status }: WorkloadPod): number {
  return RANK.indexOf(status);
}

const SUMMARY: Readonly<Record<Workload["status"], (workload: Workload) => string>> = {
  running: ({ desired }) => (desired === 1 ? "it is ready" : `all ${desired} copies are ready`),
  degraded: ({ ready, desired }) => `only ${ready} of ${desired} copies are ready`,
  starting: ({ desired, pods }) => (pods.length === 0 ? `${desired} wanted, none made yet` : "it is on its way up"),
  unplaced: () => "no node takes it at present",
  pending: () => "something that it needs is missing; it is tried again with growing pauses",
  restarting: () => "it ends, or cannot be started, and is tried again with growing pauses",
  failed: () => "it has failed and is not tried again",
  lost: () => "its node is unreachable; nobody knows whether it runs",
  stopping: () => "it is being stopped",
  done: () => "it ran to its end",
  stopped: ({ pods }) =>
    pods.length === 0 ? "nothing is wanted of it, so nothing runs" : "it is loaded, and not started",
};

function summaryOf(workload: Workload): string {
  const { name, status, note, error, pods } = workload;
  // What is wrong with the whole and is told of no copy.
  const own = pods.some((pod) => pod.error === error) ? undefined : error;
  const more = own ?? note;
  return `${name} is ${status}: ${SUMMARY[status](workload)}${more === undefined ? "" : ` (${more})`}`;
}

/** Where an ended copy could run now is nobody's question. */
function isOver({ status }: Pod): boolean {
  return status.phase === "Failed" || status.phase === "Succeeded";
}

function whyPod(reader: Reader, view: WorkloadPod, explain: Explainer | undefined): WhyPod {
  const pod = reader.get(pods, view.key);
  if (!pod) return { key: view.key, sentences: ["it has gone meanwhile"], nodes: [], events: [] };
  const placement = explain?.(pod);
  const sentences = [
    ...placeSentences(pod, placement),
    ...disruptionSentences(reader, pod),
    ...drainSentences(reader, pod),
    ...containerSentences(pod),
    ...readinessSentences(pod),
    ...lossSentences(reader, pod),
  ];
  const about = reader.by(events, "about", view.uid).toSorted(inOrder).toReversed().slice(0, EVENTS_SHOWN);
  const rows = about.map((event) => eventRow(event));
  return { key: view.key, sentences, nodes: placement?.nodes ?? [], events: rows };
}

function placeSentences(pod: Pod, placement: PlacementExplanation | undefined): readonly string[] {
  if (pod.spec.nodeName === undefined) {
    const refusal = pod.status.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
    const summary = placement?.summary ?? refusal?.message ?? "the scheduler has not looked at it yet";
    const suggestion = placement?.suggestion;
    // Mostly the summary ends with it.
    return suggestion === undefined || summary.includes(suggestion) ? [summary] : [summary, suggestion];
  }
  const asked = pod.metadata.deletionTimestamp;
  const stopping = asked === undefined ? [] : [`it was asked to go and is killed if it still runs at ${asked}`];
  return [placement?.summary ?? `${isOver(pod) ? "it was" : "it is"} on ${pod.spec.nodeName}`, ...stopping];
}

function containerSentences(pod: Pod): readonly string[] {
  const found = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  if (found.length === 0 && pod.spec.nodeName !== undefined) return [`${pod.spec.nodeName} has not reported on it yet`];
  const several = found.length > 1;
  return found.map((status) => `${several ? `${status.name}: ` : ""}${containerSentence(pod, status)}`);
}

function containerSentence(pod: Pod, status: ContainerStatus): string {
  const { waiting, running, terminated } = status.state;
  const restarts = status.restartCount === 0 ? "" : `, restarted ${times(status.restartCount)}`;
  const last = status.lastState?.terminated;
  const before = last === undefined || terminated ? "" : `; before that ${endSentence(last, status)}`;
  const unit = status.unit ? ` (${status.unit.active}/${status.unit.sub})` : "";
  const error = containerError(status);
  const container = pod.spec.containers.find(({ name }) => name === status.name);
  if (container && isNotStarted(container) && status.unit?.active === "inactive" && !terminated)
    return `${loadedSentence(container)}${unit}`;
  if (running && status.unit?.active === "inactive" && status.unit.message) return `it ${status.unit.message}`;
  if (running) {
    const what = `it runs since ${running.startedAt}${unit}${restarts}${before}`;
    return error === undefined ? what : `${what}; ${error}`;
  }
  if (terminated) return `${endSentence(terminated, status)}${unit}${restarts}`;
  if (waiting) {
    const words = waiting.message ? `: ${waiting.message.trim().replace(/\.$/, "")}` : "";
    return `it waits: ${waiting.reason}${words}${restarts}${before}`;
  }
  return `the ${container ? driverOf(container) : "docker"} driver has not started it yet`;
}

function loadedSentence({ unit }: Container): string {
  const name = unit?.name ?? "";
  const type = name.slice(name.lastIndexOf("."));
  return isNeverExecuted(name) ? `it is loaded; a ${type} unit is not executed` : "it is loaded and not to be started";
}

function readinessSentences(pod: Pod): readonly string[] {
  const ready = pod.status.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "False" || pod.status.phase !== "Running") return [];
  if (pod.spec.containers.some(isNotStarted) || isOnLostNode(pod)) return [];
  const failing = (pod.status.containerStatuses ?? []).flatMap(({ healthResults }) =>
    (healthResults ?? []).flatMap(({ alive, lastFailureCause }) => (alive ? [] : (lastFailureCause ?? []))),
  );
  const cause = failing[0] ?? ready.message;
  return [`it is not ready${cause === undefined ? "" : `: ${cause}`}`];
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function nextCommands({ name, status, desired, canScale, urls }: Workload): readonly string[] {
  const plain = /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  switch (status) {
    case "unplaced":
      return ["styr nodes", `styr events ${plain}`];
    case "lost":
      return ["styr nodes", "styr brake", `styr events ${plain}`];
    case "failed":
    case "restarting":
    case "degraded":
      return [`styr logs ${plain}`, `styr events ${plain}`, `styr inspect ${plain}`];
    case "stopped":
      return canScale && desired === 0 ? [`styr scale ${plain} 1`] : [`styr inspect ${plain}`];
    case "running":
      return [...urls.slice(0, 1).map((url) => `curl ${url}`), `styr logs -f ${plain}`];
    default:
      return [`styr events ${plain}`];
  }
}
