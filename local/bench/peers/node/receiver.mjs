// The receiver's work in Node.
import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const required = ['id', 'time', 'source', 'detailType', 'detail'];
const table = new DynamoDBClient({});
const keptFor = 14 * 24 * 3600;

export async function handle(request) {
  const gateway = request.requestContext;
  const claims = gateway.authorizer?.jwt?.claims ?? {};
  const client = claims.client_id || claims.sub;
  if (!client) return answer(401, { field: 'authorization', error: 'the request carries no verified claims' });
  let event;
  try {
    event = JSON.parse(request.body);
  } catch {
    return answer(400, { field: 'body', error: 'the body is not valid JSON' });
  }
  for (const field of required) {
    if (event[field] === undefined || event[field] === '') return answer(400, { field, error: `${field} is missing or empty` });
  }
  if (Number.isNaN(Date.parse(event.time))) return answer(400, { field: 'time', error: 'time is not RFC 3339' });
  const deliveredAs = event.id;
  for (const resource of event.resources ?? []) {
    if (resource.startsWith('redrive:')) event.id = resource.slice('redrive:'.length);
  }
  const duplicate = !await keep(event);
  console.log(JSON.stringify({
    timestamp: new Date().toISOString(), level: 'INFO', message: 'event accepted', eventId: event.id, deliveredAs,
    source: event.source, detailType: event.detailType, eventTime: event.time,
    clientId: client, requestId: gateway.requestId, duplicate,
  }));
  return answer(202, { id: event.id, duplicate });
}

async function keep(event) {
  const receipt = randomUUID();
  try {
    await table.send(new PutItemCommand({
      TableName: process.env.INBOX_TABLE,
      Item: {
        id: { S: event.id }, time: { S: event.time }, source: { S: event.source }, detailType: { S: event.detailType },
        detail: { S: JSON.stringify(event.detail) }, receivedAt: { S: new Date().toISOString() }, receipt: { S: receipt },
        expiresAt: { N: String(Math.floor(Date.now() / 1000) + keptFor) },
      },
      ConditionExpression: 'attribute_not_exists(#id) OR #receipt = :receipt',
      ExpressionAttributeNames: { '#id': 'id', '#receipt': 'receipt' },
      ExpressionAttributeValues: { ':receipt': { S: receipt } },
    }));
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
  return true;
}

function answer(statusCode, body) {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
