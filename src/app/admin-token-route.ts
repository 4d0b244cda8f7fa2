import { notFound, renderError } from "../api/errors.ts";
import type { Api } from "../http/route.ts";

const PATH = "/styr/v1/admin-token";

/** POST /styr/v1/admin-token: another token in `pki/admin.token` of the server that is asked; the one before is nobody's from then on. */
export function adminTokenApi(renewToken: () => Promise<string>): Api {
  return {
    name: "styr-admin-token",
    prefixes: [PATH],
    routes: [
      {
        method: "POST",
        path: PATH,
        access: { verb: "admin", resource: "admin-token" },
        here: true,
        handle: async () => Response.json({ token: await renewToken() }, { headers: { "Cache-Control": "no-store" } }),
      },
    ],
    renderError,
    notFound,
  };
}
