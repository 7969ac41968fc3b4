# The dashboard reaches counting as http://127.0.0.1:5000: its sidecar listens there.
service {
  name = "dashboard"
  port = 9002

  connect {
    sidecar_service {
      proxy {
        config {
          managed = true
        }
        upstreams {
          destination_name = "counting"
          local_bind_port  = 5000
        }
      }
    }
  }
}
