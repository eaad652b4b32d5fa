// The custom resource's work in Node, for a connection that is in step: the same
// calls in the same order.
import http from 'node:http';
import https from 'node:https';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeConnectionCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DescribeKeyCommand, KMSClient, ListResourceTagsCommand } from '@aws-sdk/client-kms';
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HttpsProxyAgent } from 'https-proxy-agent';

const stacks = new CloudFormationClient({});
const events = new EventBridgeClient({});
const keys = new KMSClient({});
const secrets = new SecretsManagerClient({});
const proxied = new HttpsProxyAgent(process.env.HTTPS_PROXY, { keepAlive: true });
const kept = new http.Agent({ keepAlive: true });

export async function handle(event) {
  const wanted = event.ResourceProperties;
  const { Stacks: [stack] } = await stacks.send(new DescribeStacksCommand({ StackName: event.StackId }));
  if (stack.StackStatus === 'UPDATE_ROLLBACK_IN_PROGRESS') throw new Error('a rollback is not measured here');
  const described = await secrets.send(new DescribeSecretCommand({ SecretId: wanted.SecretId }));
  const holders = {};
  for (const [version, labels] of Object.entries(described.VersionIdsToStages)) {
    for (const label of labels) holders[label] = version;
  }
  const current = holders.AWSCURRENT;

  const { KeyMetadata: key } = await keys.send(new DescribeKeyCommand({ KeyId: wanted.KmsKeyArn }));
  const { Tags: tags } = await keys.send(new ListResourceTagsCommand({ KeyId: wanted.KmsKeyArn }));
  if (key.KeyState !== 'Enabled' || !tags.some((tag) => tag.TagKey === 'EventBridgeApiDestinations' && tag.TagValue === 'true')) {
    throw new Error('the key cannot be used');
  }

  const value = await secrets.send(new GetSecretValueCommand({ SecretId: wanted.SecretId, VersionId: current }));
  const candidate = JSON.parse(value.SecretString);
  const secret = candidate[wanted.ClientSecretKey];
  const granted = await call(https, wanted.AuthorizationEndpoint, {
    method: 'POST', agent: proxied, headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  }, new URLSearchParams({ grant_type: 'client_credentials', client_id: candidate[wanted.ClientIDKey], client_secret: secret, scope: wanted.Scope }).toString());
  if (granted.status !== 200 || !JSON.parse(granted.body).access_token) throw new Error('the credentials are not accepted');

  const shown = await events.send(new DescribeConnectionCommand({ Name: wanted.ConnectionName }));
  const managed = await secrets.send(new GetSecretValueCommand({ SecretId: shown.SecretArn }));
  const held = JSON.parse(managed.SecretString);
  if (shown.ConnectionState !== 'AUTHORIZED' || held.client_secret !== secret || holders['eventbridge/' + wanted.ConnectionName] !== current) {
    throw new Error('the connection is not in step, which is not measured here');
  }

  await call(http, event.ResponseURL, { method: 'PUT', agent: kept }, JSON.stringify({
    Status: 'SUCCESS', StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId,
    PhysicalResourceId: event.PhysicalResourceId,
    Data: { VersionId: current, ConnectionState: shown.ConnectionState, LastAuthorizedTime: shown.LastAuthorizedTime.toISOString() },
  }));
  console.log(JSON.stringify({ level: 'INFO', message: 'replied', status: 'SUCCESS', versionId: current }));
}

function call(scheme, url, options, body) {
  return new Promise((resolve, reject) => {
    const request = scheme.request(url, { ...options, headers: { ...options.headers, 'Content-Length': Buffer.byteLength(body) } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
