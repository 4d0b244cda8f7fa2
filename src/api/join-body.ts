import { ApiError } from "../model/errors.ts";
import { type JoinTokenText, parseJoinToken } from "../trust/token-text.ts";
import { type Options, optionsOf } from "./request-options.ts";

export interface JoinBody {
  readonly token: JoinTokenText;
  readonly nodeName: string;
  readonly machineId: string;
  readonly csrPem: string;
  readonly sentAtMs: number;
  readonly version: string;
}

/** DNS-1123, and short enough for a certificate's CN (64). */
const NODE_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const MACHINE_ID = /^[0-9a-f]{32}$/;
const LARGEST_CSR = 8192;

export async function parseJoinBody(request: Request): Promise<JoinBody> {
  const fields = ["token", "nodeName", "machineId", "csrPem", "sentAtMs", "version"];
  const body = await optionsOf(request, fields);
  const { sentAtMs } = body;
  if (typeof sentAtMs !== "number" || !Number.isFinite(sentAtMs))
    throw new ApiError("BadRequest", "sentAtMs must be a number of milliseconds since the epoch");
  const nodeName = text(body, "nodeName");
  if (!NODE_NAME.test(nodeName))
    throw new ApiError(
      "BadRequest",
      `"${nodeName.slice(0, 80)}" cannot be a node's name: use up to 63 of a-z, 0-9, "-" and ".", for example --node-name web-1`,
    );
  const machineId = text(body, "machineId");
  if (!MACHINE_ID.test(machineId)) throw new ApiError("BadRequest", "machineId must be 32 hex digits (machine-id(5))");
  const csrPem = text(body, "csrPem");
  if (csrPem.length > LARGEST_CSR) throw new ApiError("BadRequest", "csrPem is too long for a certificate request");
  return { token: tokenOf(body), nodeName, machineId, csrPem, sentAtMs, version: text(body, "version") };
}

function tokenOf(body: Options): JoinTokenText {
  try {
    return parseJoinToken(text(body, "token"));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("BadRequest", (error as Error).message);
  }
}

function text(body: Options, field: string): string {
  const value = body[field];
  if (typeof value === "string" && value !== "") return value;
  throw new ApiError("BadRequest", `${field} must be text`);
}
