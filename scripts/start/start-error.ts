/** Something that keeps Switchyard from starting. Its message says what to do, and is all that is printed. */
export class StartError extends Error {}
