/** What a resource needs of a test: any tap test has it, and so has anything else that collects cleanups. */
export interface Teardown {
  teardown(fn: () => unknown): void;
}
