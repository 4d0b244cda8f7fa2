import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import type { SealingReport } from "../model/sealing-report.ts";
import type { NewMasterKey } from "../store/sealed/master-key.ts";
import type { Sealing } from "../store/sealed/sealing.ts";
import type { StyrApiContext } from "./context.ts";
import { type Options, optionsOf } from "./request-options.ts";

const ACCESS = { verb: "admin", resource: "keys" } as const;

/** The keys that secrets are sealed with. Answered by the server that leads; no key ever passes. */
export function sealingRoutes({ sealing, hostname }: StyrApiContext): readonly Route[] {
  const answer = (sealing: Sealing) => Response.json({ ...sealing.report(), server: hostname } satisfies SealingReport);
  const present = () => {
    const found = sealing?.();
    if (found) return found;
    throw new ApiError("Unavailable", "this control plane does not seal secrets");
  };
  return [
    { method: "GET", path: "/styr/v1/keys", access: ACCESS, handle: () => answer(present()) },
    {
      method: "POST",
      path: "/styr/v1/keys/rotate",
      access: ACCESS,
      handle: async () => {
        const keys = present();
        await keys.rotate();
        return answer(keys);
      },
    },
    {
      method: "POST",
      path: "/styr/v1/keys/rekey",
      access: ACCESS,
      handle: async (request) => {
        const from = newMasterKey(await optionsOf(request, ["keyFile", "passphraseFile"]));
        const keys = present();
        await keys.rekey(from);
        return answer(keys);
      },
    },
  ];
}

/** `{keyFile}` or `{passphraseFile}`: absolute paths on the host of the server that leads. */
function newMasterKey({ keyFile, passphraseFile }: Options): NewMasterKey {
  if ((keyFile === undefined) === (passphraseFile === undefined))
    throw new ApiError("BadRequest", "give keyFile or passphraseFile");
  return keyFile === undefined ? { passphraseFile: pathOf(passphraseFile) } : { keyFile: pathOf(keyFile) };
}

function pathOf(value: unknown): string {
  if (typeof value === "string" && value.startsWith("/")) return value;
  throw new ApiError("BadRequest", "give an absolute path on the host of the server that leads");
}
