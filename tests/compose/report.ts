/** Collects the outcome of every check and prints each as it is known. */
export interface Report {
  /** Runs a check: what it throws fails it, a text that it returns (a figure) is printed beside its name. */
  check(name: string, body: () => Promise<unknown>): Promise<boolean>;
  readonly passed: number;
  readonly failed: number;
}

/** Creates a {@link Report} that prints to the standard output. */
export function createReport(): Report {
  let passed = 0;
  let failed = 0;
  return {
    async check(name, body) {
      try {
        const figure = await body();
        passed++;
        console.log(`ok      ${name}${typeof figure === 'string' ? ` (${figure})` : ''}`);
        return true;
      } catch (error) {
        failed++;
        console.log(`FAILED compose: ${name}: ${(error as Error).message}`);
        return false;
      }
    },
    get passed() {
      return passed;
    },
    get failed() {
      return failed;
    },
  };
}
