export { createFileStore, type FileStore, type FileStoreSettings } from './create-file-store.ts';
export { fileMissing, filePathInvalid, filesAway, filesFull } from './errors.ts';
export { filesFields } from './files-fields.ts';
export { checkPath } from './path.ts';
