import { notFound, renderError } from "../api/errors.ts";
import type { Api } from "../http/route.ts";

/** Of whoever has the token (app/pki.ts). */
const ADMIN_NAME = "admin";
const PATH = "/styr/v1/admin-token";

/** POST /styr/v1/admin-token: another token in `pki/admin.token` of the server that is asked; the one before is nobody's from then on, and what it has open ends. */
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
        async handle(_request, { endStreams }) {
          const token = await renewToken();
          endStreams?.(ADMIN_NAME);
          return Response.json({ token }, { headers: { "Cache-Control": "no-store" } });
        },
      },
    ],
    renderError,
    notFound,
  };
}
