import type { Catalogue } from "./definition.ts";
import type { Meters } from "./meters.ts";

const OPERATION_SECONDS = [0.01, 0.05, 0.2, 1, 5, 20, 60, 300] as const;
const APPLY_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10] as const;
const ROUND_TRIP_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 5] as const;

/** Of an agent: what it does on its node, and how it reaches the control plane. docs/metrics.md says the same for people. */
export const AGENT_METRICS = [
  {
    name: "styr_driver_operations_total",
    type: "counter",
    help: "Calls of drivers, by driver, operation and result (ok, retry: failed for now, error).",
    labels: ["driver", "operation", "result"],
  },
  {
    name: "styr_driver_operation_duration_seconds",
    type: "histogram",
    help: "How long calls of drivers took, those that failed too. A stop takes as long as what it stops.",
    labels: ["driver", "operation"],
    buckets: OPERATION_SECONDS,
  },
  {
    name: "styr_driver_ready",
    type: "gauge",
    help: "1 while the driver can run something (Docker Engine, keeper), by driver.",
    labels: ["driver"],
  },
  {
    name: "styr_node_pods",
    type: "gauge",
    help: "Pods of this node, by phase as its agent sees it.",
    labels: ["phase"],
    always: ["Pending", "Running", "Succeeded", "Failed"],
  },
  {
    name: "styr_container_starts_total",
    type: "counter",
    help: "Containers, processes and units started, by driver.",
    labels: ["driver"],
  },
  {
    name: "styr_container_restarts_total",
    type: "counter",
    help: "Those of the starts that were not the first of their container.",
    labels: ["driver"],
  },
  {
    name: "styr_image_pull_duration_seconds",
    type: "histogram",
    help: "Pulls of images, by result; an image that is there is not pulled.",
    labels: ["result"],
    buckets: OPERATION_SECONDS,
  },
  {
    name: "styr_pod_network_duration_seconds",
    type: "histogram",
    help: "Network programming on the node: from a start's being asked for to its running with an address.",
    buckets: OPERATION_SECONDS,
  },
  {
    name: "styr_probes_total",
    type: "counter",
    help: "Probes, health checks and hooks, by kind (http, tcp, exec) and result.",
    labels: ["kind", "result"],
  },
  { name: "styr_heartbeat_age_seconds", type: "gauge", help: "How old the last answered heartbeat is." },
  {
    name: "styr_heartbeat_round_trip_seconds",
    type: "histogram",
    help: "From sending a heartbeat to hearing of its answer.",
    buckets: ROUND_TRIP_SECONDS,
  },
  { name: "styr_agent_link_connected", type: "gauge", help: "1 while the agent has a link to a server." },
  {
    name: "styr_agent_dials_total",
    type: "counter",
    help: "Attempts to open a link to a server, by result (ok, refused, failed).",
    labels: ["result"],
    always: ["ok", "refused", "failed"],
  },
  {
    name: "styr_agent_link_frames_total",
    type: "counter",
    help: "Frames on this agent's links, by direction as this side sees it.",
    labels: ["direction"],
    always: ["in", "out"],
  },
  {
    name: "styr_agent_link_bytes_total",
    type: "counter",
    help: "Bytes on this agent's links, by direction as this side sees it.",
    labels: ["direction"],
    always: ["in", "out"],
  },
  {
    name: "styr_network_apply_duration_seconds",
    type: "histogram",
    help: "How long a part of the node's network took to bring the host in line with a change, failures too, by part.",
    labels: ["part"],
    buckets: APPLY_SECONDS,
  },
  {
    name: "styr_network_apply_failures_total",
    type: "counter",
    help: "Changes that a part of the node's network could not make, and tries again, by part.",
    labels: ["part"],
  },
  {
    name: "styr_network_applied_timestamp_seconds",
    type: "gauge",
    help: "When a part of the node's network last brought the host in line, by part.",
    labels: ["part"],
  },
  {
    name: "styr_network_part_working",
    type: "gauge",
    help: "1 while a part of the node's network works, 0 while it fails, by part; one that is off is not shown.",
    labels: ["part"],
  },
  {
    name: "styr_network_news_behind",
    type: "gauge",
    help: "Revisions of the network's state that the node was told and has not brought into force yet.",
  },
  { name: "styr_network_services", type: "gauge", help: "Services whose addresses and ports the node serves." },
  { name: "styr_network_policies", type: "gauge", help: "NetworkPolicies that the node was told of." },
  {
    name: "styr_network_policed_pods",
    type: "gauge",
    help: "Pods of the node that some NetworkPolicy selects.",
  },
  { name: "styr_network_routes", type: "gauge", help: "Hosts and paths that come in from outside at this node." },
  {
    name: "styr_network_peers",
    type: "gauge",
    help: "Other nodes, by whether the node's probes over the pod network reach them (reachable, unreachable, unknown).",
    labels: ["state"],
  },
  {
    name: "styr_network_connections",
    type: "gauge",
    help: "Lines of the host's table of connections (nf_conntrack) that are taken.",
  },
  {
    name: "styr_network_connections_max",
    type: "gauge",
    help: "Lines that the host's table of connections has: when all are taken, what begins new connections is dropped.",
  },
  {
    name: "styr_way_in_answers_total",
    type: "counter",
    help: "Answers to HTTP requests from outside, by whose route they came in (`all` with those that no route is for) and by the status's class.",
    labels: ["route", "class"],
  },
  {
    name: "styr_way_in_retries_total",
    type: "counter",
    help: "Requests that were sent to another copy, because the first did not take them, by whose route they came in.",
    labels: ["route"],
  },
  {
    name: "styr_way_in_response_seconds",
    type: "gauge",
    help: "Time until a copy answered, the average of the last 1024 requests, by whose route they came in.",
    labels: ["route"],
  },
  {
    name: "styr_dns_queries_total",
    type: "counter",
    help: "Questions for names that the node was asked, by result (answered, no_such_name, failed, refused, limited, malformed, stranger).",
    labels: ["result"],
  },
] as const satisfies Catalogue;

export type AgentMeters = Meters<typeof AGENT_METRICS>;
