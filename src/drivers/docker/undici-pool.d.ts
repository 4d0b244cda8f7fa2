/** The files of undici that are used, by their paths: the whole package (fetch, WebSocket, caches, mocks) costs 10 MiB of memory at start. */
declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default Pool;
}

/** What the package's entry makes methods of its dispatchers. */
declare module "undici/lib/api/index.js" {
  import type { Dispatcher } from "undici";

  const api: {
    request(this: Dispatcher, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
    upgrade(this: Dispatcher, options: Dispatcher.UpgradeOptions): Promise<Dispatcher.UpgradeData>;
  };
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default api;
}
