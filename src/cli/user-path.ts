import { CliFailure } from "./failure.ts";

export const USERS_PATH = "/styr/v1/users";

export function userPath(name: string): string {
  if (name === "") throw new CliFailure("give the user's name", { next: "styr user list" });
  return `${USERS_PATH}/${encodeURIComponent(name)}`;
}
