import { ConfigError } from '@switchyard/config';
import type { ServiceApp } from '@switchyard/service-kit';
import type { RuntimeConfig } from './runtime-fields.ts';

/** @throws ConfigError naming PORT or HOST when the address can't be had. */
export async function listen(
  app: ServiceApp,
  { host, port }: Pick<RuntimeConfig, 'host' | 'port'>,
): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new ConfigError('PORT', `names ${port}, which something else listens on`);
    if (code === 'EACCES') throw new ConfigError('PORT', `names ${port}, which this user may not listen on`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError('HOST', `names ${host}, which is not an address of this machine`);
    throw error;
  }
}
