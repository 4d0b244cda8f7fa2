/** The control plane as an agent in the same process sees it. */
export { StoreControl as LocalControl } from "../dispatcher/store-control.ts";
