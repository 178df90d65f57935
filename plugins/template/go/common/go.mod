module me/my-plugin

go 1.24
