/** `npm run bench:cluster`: what several machines cost and how fast they are. `npm run bench:cluster -- NAME…` runs the parts named. */
import { runParts } from "../lib/run-parts.ts";

const files = {
  agents: "agents.ts",
  writes: "writes.ts",
  failover: "failover.ts",
  "agent-memory": "agent-memory.ts",
  lab: "../lab/main.ts",
};
runParts({ folder: import.meta.dirname, files }, process.argv.slice(2));
