/** `npm run bench:network`: how fast the network of a cluster is. `npm run bench:network -- NAME…` runs the parts named. */
import { runParts } from "../lib/run-parts.ts";

const files = {
  paths: "paths.ts",
  programming: "programming.ts",
  names: "names.ts",
  directory: "directory.ts",
  reconnect: "reconnect.ts",
};
const flags = ["--expose-gc", "--disable-warning=ExperimentalWarning"];
runParts({ folder: import.meta.dirname, files, flags }, process.argv.slice(2));
