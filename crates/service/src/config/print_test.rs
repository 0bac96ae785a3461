use super::mask;

#[test]
fn passwords_in_urls_are_masked_and_nothing_else() {
    let check = |text: &str, expect: &str| assert_eq!(mask(text), expect);
    check("amqp://guest:guest@127.0.0.1:5672/%2f", "amqp://guest:***@127.0.0.1:5672/%2f");
    check("amqps://warren:p@ss:w/rd@broker/vhost", "amqps://warren:***@broker/vhost");
    check("amqp://broker:5672/vhost", "amqp://broker:5672/vhost");
    check("amqp://a:b,c@one/v, amqps://a:d@two/v", "amqp://a:***@one/v, amqps://a:***@two/v");
    check("postgres://user@host/db", "postgres://user@host/db");
    check(
        "postgres:///db?user=u&password=geheim&sslmode=require",
        "postgres:///db?user=u&password=***&sslmode=require",
    );
    check("host=db password=geheim user=u sslpassword=x", "host=db password=*** user=u sslpassword=***");
    check("sqlite:warren.db", "sqlite:warren.db");
    check("", "");
}
