"""The receiver's work in Python."""

import json
import os
import sys
import time
from datetime import datetime, timezone
from uuid import uuid4

import boto3

REQUIRED = ("id", "time", "source", "detailType", "detail")
KEEP = 14 * 24 * 3600
table = boto3.client("dynamodb")


def handle(request, _):
    gateway = request["requestContext"]
    claims = gateway.get("authorizer", {}).get("jwt", {}).get("claims", {})
    client = claims.get("client_id") or claims.get("sub")
    if not client:
        return answer(401, {"field": "authorization", "error": "the request carries no verified claims"})
    try:
        event = json.loads(request["body"])
    except json.JSONDecodeError:
        return answer(400, {"field": "body", "error": "the body is not valid JSON"})
    for field in REQUIRED:
        if field not in event or event[field] == "":
            return answer(400, {"field": field, "error": f"{field} is missing or empty"})
    try:
        datetime.fromisoformat(event["time"])
    except ValueError:
        return answer(400, {"field": "time", "error": "time is not RFC 3339"})
    delivered_as = event["id"]
    for resource in event.get("resources", []):
        event["id"] = resource.removeprefix("redrive:") if resource.startswith("redrive:") else event["id"]
    duplicate = not keep(event)
    print(json.dumps({
        "timestamp": datetime.now(timezone.utc).isoformat(), "level": "INFO", "message": "event accepted", "eventId": event["id"], "deliveredAs": delivered_as,
        "source": event["source"], "detailType": event["detailType"], "eventTime": event["time"],
        "clientId": client, "requestId": gateway["requestId"], "duplicate": duplicate,
    }))
    sys.stdout.flush()
    return answer(202, {"id": event["id"], "duplicate": duplicate})


def keep(event):
    now, receipt = datetime.now(timezone.utc), str(uuid4())
    try:
        table.put_item(
            TableName=os.environ["INBOX_TABLE"],
            Item={
                "id": {"S": event["id"]}, "time": {"S": event["time"]}, "source": {"S": event["source"]}, "detailType": {"S": event["detailType"]},
                "detail": {"S": json.dumps(event["detail"])}, "receivedAt": {"S": now.isoformat()}, "receipt": {"S": receipt},
                "expiresAt": {"N": str(int(time.time()) + KEEP)},
            },
            ConditionExpression="attribute_not_exists(#id) OR #receipt = :receipt",
            ExpressionAttributeNames={"#id": "id", "#receipt": "receipt"},
            ExpressionAttributeValues={":receipt": {"S": receipt}})
    except table.exceptions.ConditionalCheckFailedException:
        return False
    return True


def answer(status, body):
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
