import { errorResponse } from "./errors.ts";
import { FLEET_VERSION } from "./routes.ts";

/** fleet names the methods of a resource it has, and says nothing about those it has not (specs 3.1). */
export function unrouted(path: string, allowed: readonly string[]): Response {
  const [first = "", second] = path.replace(/^\/(?:fleet\/v1|v1-alpha)\/?/, "").split("/");
  if (first === "") return errorResponse(405, "", FLEET_VERSION);
  if (allowed.length === 0) return errorResponse(404, "", FLEET_VERSION);
  if (first === "discovery") return errorResponse(400, "only HTTP GET supported against this resource", FLEET_VERSION);
  if (first === "machines")
    return errorResponse(405, "only GET and PATCH supported against this resource", FLEET_VERSION);
  if (first === "units" && second)
    return errorResponse(405, "only GET, PUT and DELETE supported against this resource", FLEET_VERSION);
  return errorResponse(405, "only GET supported against this resource", FLEET_VERSION);
}
