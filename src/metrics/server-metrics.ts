import type { Catalogue } from "./definition.ts";
import type { Meters } from "./meters.ts";

const REQUEST_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10] as const;
const WRITE_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2] as const;
const WORK_SECONDS = [0.0005, 0.002, 0.01, 0.05, 0.2, 1] as const;
const WAIT_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600] as const;

/** Of a server: its API, its store, what it decides, who is connected. docs/metrics.md says the same for people. */
export const SERVER_METRICS = [
  {
    name: "styr_http_requests_total",
    type: "counter",
    help: "Answered requests, by API, route pattern, method and status code.",
    labels: ["api", "route", "method", "code"],
  },
  {
    name: "styr_http_request_duration_seconds",
    type: "histogram",
    help: "Time until an answer began; streams go on after it.",
    labels: ["api", "route", "method"],
    buckets: REQUEST_SECONDS,
  },
  { name: "styr_http_requests_in_flight", type: "gauge", help: "Requests whose answer has not begun." },
  {
    name: "styr_http_rate_limited_total",
    type: "counter",
    help: "Requests that were refused because too many came (429), by API.",
    labels: ["api"],
  },
  { name: "styr_audit_dropped_total", type: "counter", help: "Lines that the audit log could not take." },
  { name: "styr_watches_open", type: "gauge", help: "Watches of the store: those of clients and the server's own." },
  { name: "styr_store_revision", type: "gauge", help: "Revision of the store." },
  { name: "styr_store_writes", type: "gauge", help: "1 while the store takes writes." },
  { name: "styr_store_objects", type: "gauge", help: "Stored objects, by kind.", labels: ["kind"] },
  {
    name: "styr_journal_append_duration_seconds",
    type: "histogram",
    help: "Time until the journal had a batch safe: the latency of every write.",
    buckets: WRITE_SECONDS,
  },
  { name: "styr_journal_changes_total", type: "counter", help: "Changes of objects that the journal has taken." },
  { name: "styr_journal_bytes_total", type: "counter", help: "Characters of objects that the journal has taken." },
  { name: "styr_journal_refusals_total", type: "counter", help: "Batches that the journal did not take." },
  {
    name: "styr_controller_queue_length",
    type: "gauge",
    help: "Keys that wait to be reconciled, by controller.",
    labels: ["controller"],
  },
  {
    name: "styr_controller_reconcile_duration_seconds",
    type: "histogram",
    help: "Time of the event loop that one reconciliation took, by controller.",
    labels: ["controller"],
    buckets: WORK_SECONDS,
  },
  {
    name: "styr_controller_failures_total",
    type: "counter",
    help: "Reconciliations that failed and are tried again, by controller.",
    labels: ["controller"],
  },
  { name: "styr_scheduler_queue_length", type: "gauge", help: "Pods without a node." },
  {
    name: "styr_scheduler_attempts_total",
    type: "counter",
    help: "Attempts to place a pod: bound, refused (no node fits), undone (the store did not take it).",
    labels: ["result"],
    always: ["bound", "refused", "undone"],
  },
  {
    name: "styr_scheduling_duration_seconds",
    type: "histogram",
    help: "From a pod's creation to its being bound to a node.",
    buckets: WAIT_SECONDS,
  },
  {
    name: "styr_pod_start_duration_seconds",
    type: "histogram",
    help: "From a pod's creation to its being ready for the first time.",
    buckets: WAIT_SECONDS,
  },
  {
    name: "styr_network_programming_duration_seconds",
    type: "histogram",
    help: "From a pod's becoming ready, or ceasing to be, to the endpoints of its services saying so.",
    buckets: WAIT_SECONDS,
  },
  { name: "styr_endpoints_changes_total", type: "counter", help: "Changes of endpoints objects." },
  {
    name: "styr_nodes",
    type: "gauge",
    help: "Nodes by how their leases have them.",
    labels: ["state"],
    always: ["ready", "suspect", "restarting", "unreachable", "gone", "not ready"],
  },
  {
    name: "styr_brake_held",
    type: "gauge",
    help: "1 while too many nodes are silent at once and their pods are not replaced.",
  },
  {
    name: "styr_brake_held_nodes",
    type: "gauge",
    help: "Silent nodes whose pods the brake keeps from being replaced.",
  },
  {
    name: "styr_pods",
    type: "gauge",
    help: "Pods by phase.",
    labels: ["phase"],
    always: ["Pending", "Running", "Succeeded", "Failed"],
  },
  { name: "styr_pods_lost", type: "gauge", help: "Pods on unreachable nodes." },
  {
    name: "styr_pod_moves_total",
    type: "counter",
    help: "Pods that were to be replaced elsewhere, by reason.",
    labels: ["reason"],
    always: ["NodeUnreachable", "Drain", "Rebalance"],
  },
  { name: "styr_leader", type: "gauge", help: "1 on the server that leads, 0 on the others." },
  { name: "styr_leader_term", type: "gauge", help: "Counts up with every change of leader." },
  {
    name: "styr_leader_known",
    type: "gauge",
    help: "1 while this server knows who leads; 0 while writes find nobody.",
  },
  {
    name: "styr_servers",
    type: "gauge",
    help: "Servers by state, as the one that leads has heard of them.",
    labels: ["state"],
    always: ["leads", "follows", "silent", "unknown"],
  },
  {
    name: "styr_server_behind_revisions",
    type: "gauge",
    help: "How many revisions a follower lacked when it was heard last; told by the one that leads.",
    labels: ["server"],
  },
  { name: "styr_agents_connected", type: "gauge", help: "Agents with an open link to this server." },
  {
    name: "styr_link_frames_total",
    type: "counter",
    help: "Frames on agents' links, by direction as this side sees it.",
    labels: ["direction"],
    always: ["in", "out"],
  },
  {
    name: "styr_link_bytes_total",
    type: "counter",
    help: "Bytes on agents' links, by direction as this side sees it.",
    labels: ["direction"],
    always: ["in", "out"],
  },
  { name: "styr_streams_open", type: "gauge", help: "Logs, commands and forwarded ports that run over agents' links." },
  { name: "styr_secrets_key_age_seconds", type: "gauge", help: "Age of the key that new secrets are encrypted with." },
] as const satisfies Catalogue;

export type ServerMeters = Meters<typeof SERVER_METRICS>;
