import { ConfigError } from '@switchyard/config';
import type { S3Driver } from 'flydrive/drivers/s3';
import type { FileStoreSettings } from './create-file-store.ts';

const CALL_MS = 60_000;

/**
 * The driver for `s3://bucket/prefix?endpoint=…&region=…`. The AWS SDK is loaded only where it is used: it is larger than the rest of
 * a service.
 *
 * @throws ConfigError naming the variable.
 */
export async function createS3Driver(
  url: URL,
  { awsAccessKeyId, awsSecretAccessKey }: Pick<FileStoreSettings, 'awsAccessKeyId' | 'awsSecretAccessKey'>,
): Promise<{ driver: S3Driver; prefix: string; location: string }> {
  const bucket = url.hostname;
  if (bucket === '') throw new ConfigError('FILES_URL', 'must name a bucket: s3://bucket/prefix');
  if ((awsAccessKeyId === undefined) !== (awsSecretAccessKey === undefined))
    throw new ConfigError(
      awsAccessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY',
      'must be set too: key and secret belong together',
    );
  for (const name of url.searchParams.keys())
    if (!['endpoint', 'region'].includes(name))
      throw new ConfigError('FILES_URL', `has the unknown parameter ${name}; endpoint and region are known`);
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !/^https?:\/\//.test(endpoint))
    throw new ConfigError('FILES_URL', 'has an endpoint that is no http or https address');
  const path = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  const prefix = path === '' ? '' : `${path}/`;
  const [{ S3Driver: Driver }, { S3Client }] = await Promise.all([
    import('flydrive/drivers/s3'),
    import('@aws-sdk/client-s3'),
  ]);
  const client = new S3Client({
    region: url.searchParams.get('region') ?? 'us-east-1',
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(awsAccessKeyId === undefined || awsSecretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId: awsAccessKeyId, secretAccessKey: awsSecretAccessKey } }),
    requestHandler: { requestTimeout: CALL_MS, connectionTimeout: 5000 },
    // Other stores than Amazon's don't know the checksums that newer clients send unasked.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return {
    driver: new Driver({ client, bucket, visibility: 'private', supportsACL: false }),
    prefix,
    location: `s3://${bucket}/${prefix}`,
  };
}
