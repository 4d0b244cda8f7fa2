/** A store cannot be copied, and nothing of it was changed; in words. */
export class CopyRefusal extends Error {
  override readonly name = "CopyRefusal";
}
