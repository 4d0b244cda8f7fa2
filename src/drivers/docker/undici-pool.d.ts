/** The one file of undici that is used, by its path: the whole package (fetch, WebSocket, caches, mocks) costs 10 MiB of memory at start. */
declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  // biome-ignore lint/style/noDefaultExport: what it exports is not ours to choose.
  export default Pool;
}
