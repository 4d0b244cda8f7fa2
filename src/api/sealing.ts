import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import type { NewMasterKey } from "../store/sealed/master-key.ts";
import type { Sealing } from "../store/sealed/sealing.ts";
import type { StyrApiContext } from "./context.ts";

const ACCESS = { verb: "admin", resource: "keys" } as const;

/** The keys that secrets are sealed with. Answered by the server that leads; no key ever passes. */
export function sealingRoutes({ sealing }: StyrApiContext): readonly Route[] {
  const present = () => {
    const found = sealing?.();
    if (found) return found;
    throw new ApiError("Unavailable", "this control plane does not seal secrets");
  };
  return [
    { method: "GET", path: "/styr/v1/keys", access: ACCESS, handle: () => Response.json(present().report()) },
    {
      method: "POST",
      path: "/styr/v1/keys/rotate",
      access: ACCESS,
      handle: async () => reported(present(), (keys) => keys.rotate()),
    },
    {
      method: "POST",
      path: "/styr/v1/keys/rekey",
      access: ACCESS,
      handle: async (request) => {
        const from = newMasterKey(await request.json());
        return reported(present(), (keys) => keys.rekey(from));
      },
    },
  ];
}

async function reported(sealing: Sealing, change: (sealing: Sealing) => Promise<void>): Promise<Response> {
  await change(sealing);
  return Response.json(sealing.report());
}

/** `{keyFile}` or `{passphraseFile}`: absolute paths on the host of the server that leads. */
function newMasterKey(body: unknown): NewMasterKey {
  const { keyFile, passphraseFile } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const [path, ...more] = [keyFile, passphraseFile].filter((given) => given !== undefined);
  if (typeof path !== "string" || !path.startsWith("/") || more.length > 0)
    throw new ApiError(
      "BadRequest",
      "give keyFile or passphraseFile, an absolute path on the host of the server that leads",
    );
  return keyFile === undefined ? { passphraseFile: path } : { keyFile: path };
}
