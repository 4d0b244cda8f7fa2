/**
 * Writes docs/metrics.md from the catalogues in src/metrics, so that the page names every metric there is and no other.
 * `node scripts/metrics.ts` prints it, `--write` replaces the file; metrics.test.ts fails while the two differ.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AGENT_METRICS } from "../src/metrics/agent-metrics.ts";
import type { Catalogue, MetricDefinition } from "../src/metrics/definition.ts";
import { PROCESS_METRICS } from "../src/metrics/process-metrics.ts";
import { SERVER_METRICS } from "../src/metrics/server-metrics.ts";

export const METRICS_FILE = join(import.meta.dirname, "../docs/metrics.md");

export const ALL_METRICS: Catalogue = [...SERVER_METRICS, ...AGENT_METRICS, ...PROCESS_METRICS];

const INTRODUCTION = `# Metrics

Written by \`node scripts/metrics.ts --write\` from the catalogues in \`src/metrics\`; a test fails while this page differs from them.

## Where they are

- **Server**: \`GET /metrics\` on the API's own port, for whoever may read (role \`viewer\`), with the same TLS and tokens. Ask every server: each tells of itself, and
  what is of the whole cluster (\`styr_nodes\`, \`styr_pods\`) is told by all of them, the same; take it from the one where \`styr_leader\` is 1.
- **Agent**: in \`styr up\` its metrics are in the same answer. \`styr agent --metrics HOST:PORT\` (\`styr server\` and \`styr up\` take it, too) opens a port that
  answers \`/metrics\` and nothing else, in plain HTTP, to everybody who reaches it: names of APIs and nodes' health are in it, no secrets. Off unless asked for.

\`\`\`yaml
scrape_configs:
  - job_name: styrmann
    scheme: https
    authorization: { credentials_file: /etc/prometheus/styr.token }   # a token of a user with the role viewer
    tls_config: { ca_file: /etc/prometheus/styr-ca.crt }              # pki/ca.crt of any server
    static_configs: [{ targets: ["a.example:7443", "b.example:7443", "c.example:7443"] }]
\`\`\`

A board for Grafana is in [contrib/grafana/styrmann.json](../contrib/grafana/styrmann.json) (import it, choose the data source), alerts for Prometheus in
[contrib/prometheus/alerts.yml](../contrib/prometheus/alerts.yml).

## What to know of them

- Counting is an addition in a field; the text is made when it is asked for, and a scrape looks at no pod. The library that writes it is loaded by the first scrape.
- Labels are bounded: routes are patterns (\`/styr/v1/nodes/:name\`), never paths; nodes, pods and users are in no label. A label that comes from outside is counted as
  \`other\` from the 2,000th value on.
- Counters begin with the process. After a change of leader, the new one's counters go on from its own.
- What cannot be known at present is not shown, rather than shown as 0.`;

const ALERTS = `## What to be woken by

| When | What it means | First look |
|---|---|---|
| \`max(styr_leader) == 0\` for 30 s | nobody leads: reads and pods go on, writes wait | etcd's members; \`styr status\` on each server |
| \`styr_store_writes == 0\` for 1 min | the store refuses writes; what runs goes on | the disk, etcd's space alarm |
| \`styr_brake_held == 1\` | too many nodes are silent at once, nothing is moved | \`styr brake\`, the network |
| \`styr_nodes{state="unreachable"} > 0\` for 5 min | a node is lost | \`styr nodes\` |
| \`styr_scheduler_queue_length > 0\` for 15 min | pods find no node | \`styr ps\`, \`styr why NAME\` |
| \`styr_certificate_expiry_seconds < 5 days\` | a certificate does not renew itself | \`LOGS/styr.log\` on that host |
| p99 of \`styr_journal_append_duration_seconds\` > 0.5 s for 10 min | every write is slow: the disk, or etcd | etcd's own metrics |
| \`styr_event_loop_lag_seconds > 0.5\` for 5 min | the server has more to do than its core can | \`styr top\`, the board |
| \`styr_heartbeat_age_seconds > 5\` | an agent is not heard by any server | its host's network |
| \`styr_driver_ready == 0\` for 5 min | a node cannot start containers | \`styr nodes\`, the Docker Engine |
| \`styr_network_part_working == 0\` for 2 min | a node's routes, services, policies or names are not what they should be | \`styr network status\` |
| \`styr_network_connections / styr_network_connections_max > 0.9\` | a host's table of connections is almost full: when it is, new ones are dropped | \`sysctl -w net.netfilter.nf_conntrack_max=…\`, \`conntrack -L\` |
| \`styr_network_peers{state="unreachable"} > 0\` for 2 min | a node does not reach others' pods | \`styr network status\`, firewalls between the hosts |`;

/** The whole page. */
export function metricsPage(): string {
  const tables = [
    section("Server", SERVER_METRICS),
    section("Agent", AGENT_METRICS),
    section("Both: the process", PROCESS_METRICS),
  ];
  return `${[INTRODUCTION, ALERTS, ...tables].join("\n\n")}\n`;
}

function section(title: string, catalogue: Catalogue): string {
  return [`## ${title}`, "", "| Name | Type | Labels | |", "|---|---|---|---|", ...catalogue.map(row)].join("\n");
}

function row({ name, type, labels = [], help, buckets }: MetricDefinition): string {
  const upTo = buckets === undefined ? "" : ` Buckets: ${buckets.join(", ")}.`;
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help}${upTo} |`;
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(METRICS_FILE, metricsPage());
  else process.stdout.write(metricsPage());
}
