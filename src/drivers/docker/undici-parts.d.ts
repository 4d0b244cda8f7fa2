/** The files of undici that are used, by their paths: the whole package (fetch, WebSocket, caches, mocks) costs 10 MiB of memory at start. */
declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default Pool;
}

/** undici's index lays these over every dispatcher; without it they are called on one. */
declare module "undici/lib/api/api-request.js" {
  import type { Dispatcher } from "undici";

  function request(this: Dispatcher, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default request;
}

declare module "undici/lib/api/api-upgrade.js" {
  import type { Dispatcher } from "undici";

  function upgrade(this: Dispatcher, options: Dispatcher.UpgradeOptions): Promise<Dispatcher.UpgradeData>;
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default upgrade;
}
