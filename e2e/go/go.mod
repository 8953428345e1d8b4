module millpond/e2e

go 1.23

require (
	github.com/GetStream/getstream-go v1.2.0
	github.com/GetStream/stream-chat-go/v7 v7.15.1
	github.com/GetStream/stream-chat-go/v8 v8.3.0
)

require (
	github.com/golang-jwt/jwt/v4 v4.5.1
	github.com/golang-jwt/jwt/v5 v5.2.1
)
