/** A container that cannot be configured as asked: Kubernetes' CreateContainerConfigError. Tried again, since what is missing may come. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}
