/** Joins, says so, and ends: a process that can be killed at any moment. Arguments: state directory, URL, token. */
import { joinOnce } from "./stage.ts";

const [state = "", url = "", token = ""] = process.argv.slice(2);
await joinOnce(state, url, token);
process.stdout.write("joined\n");
