{#
  A made key: md5 over the parts, each written with its length (`3:abc`), so that two different
  lists of parts can never run together; NULL is written `-` and differs from the empty text.
#}
{% macro made_key(columns) -%}
    md5(
        {%- for column in columns %}
            {%- set text = "cast(" ~ column ~ " as " ~ dbt.type_string() ~ ")" %}
            coalesce(
                cast(length({{ text }}) as {{ dbt.type_string() }})
                || ':'
                || {{ text }},
                '-'
            )
            {%- if not loop.last %} || {% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{# The same, but NULL when the last part is (a guest has no customer key). #}
{% macro made_key_or_null(columns) -%}
    case when {{ columns[-1] }} is not null then {{ made_key(columns) }} end
{%- endmacro %}

{# The row an amount belongs to: the customer's own, or one outside the base and in one currency (`guest:USD`). #}
{% macro base_key(base, customer_key, currency_code) -%}
    case
        when {{ base }} = 'customer'
        then {{ customer_key }}
        else {{ base }} || ':' || {{ currency_code }}
    end
{%- endmacro %}

{# The base that a row's base_key names: customer, or the group before the currency in `guest:USD`. #}
{% macro base_of_key(row, customers) -%}
    case
        when {{ customers }}.customer_key is not null
        then 'customer'
        else
            substr(
                {{ row }}.base_key,
                1,
                length({{ row }}.base_key) - length({{ row }}.currency_code) - 1
            )
    end
{%- endmacro %}

{# SHA-256 of a text as lower-case hex. #}
{% macro sha256(expression) -%}
    {{ return(adapter.dispatch("sha256", "loyalty")(expression)) }}
{%- endmacro %}

{% macro default__sha256(expression) -%} sha256({{ expression }}) {%- endmacro %}

{% macro spark__sha256(expression) -%} sha2({{ expression }}, 256) {%- endmacro %}

{% macro postgres__sha256(expression) -%}
    encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}
