{# The amounts of orders and refunds, kept per customer and day in fct_customer_order_days. #}
{% macro order_day_amounts() -%}
    {{
        return(
            [
                "gross_amount",
                "discount_amount",
                "goods_amount",
                "shipping_amount",
                "refund_amount",
                "sold_cost_amount",
                "returned_cost_amount",
                "costed_amount",
                "shipping_cost_amount",
                "payment_fee_amount",
            ]
        )
    }}
{%- endmacro %}

{# The costs that fct_customer_days has beside them, by the name of their kind of entry. #}
{% macro cost_kinds() -%}
    {{
        return(
            [
                "order_pool",
                "interaction",
                "campaign",
                "ticket",
                "points",
                "customer_pool",
                "acquisition",
                "sustaining_pool",
            ]
        )
    }}
{%- endmacro %}

{# Counts of orders and refunds per customer and day. #}
{% macro order_day_counts() -%}
    {{
        return(
            [
                "order_count",
                "kept_order_count",
                "booked_order_count",
                "uncosted_line_count",
                "refund_count",
            ]
        )
    }}
{%- endmacro %}

{# All amounts of fct_customer_days. #}
{% macro customer_day_amounts() -%}
    {%- set names = order_day_amounts() -%}
    {%- for kind in cost_kinds() -%}
        {%- do names.append(kind ~ "_cost_amount") -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{# Sums of counts and amounts, for a model that groups fct_customer_order_days (left-joined rows count as 0). #}
{% macro order_day_sums(alias) -%}
    {%- for name in order_day_counts() %}
        cast(coalesce(sum({{ alias }}.{{ name }}), 0) as bigint) as {{ name }},
    {%- endfor %}
    {%- for name in order_day_amounts() %}
        cast(
            coalesce(sum({{ alias }}.{{ name }}), 0) as {{ type_amount() }}
        ) as {{ name }}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
{%- endmacro %}

{# The same with the costs, for a model that groups fct_customer_days. #}
{% macro customer_day_sums(alias) -%}
    {{ order_day_sums(alias) }}
    {%- for kind in cost_kinds() %}
        ,
        cast(
            coalesce(sum({{ alias }}.{{ kind }}_cost_amount), 0) as {{ type_amount() }}
        ) as {{ kind }}_cost_amount
    {%- endfor %}
{%- endmacro %}

{#
  The waterfall on those sums, each step an expression by name:
  net = goods + shipping charged - refunds; cm1 = net - cost of goods; cm2 = cm1 - order costs;
  cm3 = cm2 - customer costs; profit = cm3 - sustaining cost. From cm1 on NULL where the cost of
  less than `min_cost_coverage` of the goods sold is known, or of goods given away is not: a missing
  cost is not 0.
#}
{% macro waterfall(step, alias=none) -%}
    {%- set a = (alias ~ ".") if alias else "" -%}
    {%- set sums = {
        "net": ["goods_amount", "shipping_amount", "-refund_amount"],
        "goods_cost": ["sold_cost_amount", "-returned_cost_amount"],
        "order_cost": [
            "shipping_cost_amount",
            "payment_fee_amount",
            "order_pool_cost_amount",
        ],
        "customer_cost": [
            "interaction_cost_amount",
            "campaign_cost_amount",
            "ticket_cost_amount",
            "points_cost_amount",
            "customer_pool_cost_amount",
        ],
        "sustaining_cost": ["sustaining_pool_cost_amount"],
    } -%}
    {%- set steps = {
        "cm1": ["net", "goods_cost"],
        "cm2": ["net", "goods_cost", "order_cost"],
        "cm3": ["net", "goods_cost", "order_cost", "customer_cost"],
        "profit": [
            "net",
            "goods_cost",
            "order_cost",
            "customer_cost",
            "sustaining_cost",
        ],
    } -%}
    {%- if step in sums -%}
        cast(
            {%- for name in sums[step] %}
                {% if name.startswith("-") %}- {{ a }}{{ name[1:] }}
                {% elif not loop.first %}+ {{ a }}{{ name }}
                {% else %}{{ a }}{{ name }}
                {% endif %}
            {%- endfor %} as {{ type_amount() }}
        )
    {%- elif step == "is_costed" -%}
        (
            (
                {{ a }}costed_amount = {{ a }}goods_amount
                and {{ a }}uncosted_line_count = 0
            )
            or coalesce(
                {{ div(a ~ "costed_amount", a ~ "goods_amount") }}
                >= {{ var("min_cost_coverage") }},
                false
            )
        )
    {%- else -%}
        case
            when {{ waterfall("is_costed", alias) }}
            then
                cast(
                    {%- for part in steps[step] %}
                        {% if not loop.first %}
                            -
                        {% endif %} {{ waterfall(part, alias) }}
                    {%- endfor %} as {{ type_amount() }}
                )
        end
    {%- endif -%}
{%- endmacro %}

{# All steps as columns beside the sums of `alias`, from net revenue to profit. #}
{% macro waterfall_steps() -%}
    {%- for step in [
        "net",
        "goods_cost",
        "cm1",
        "order_cost",
        "cm2",
        "customer_cost",
        "cm3",
        "sustaining_cost",
        "profit",
    ] %}
        {{ waterfall(step) }} as {{ step }}_amount,
    {%- endfor %}
    cast(
        {{ waterfall("order_cost") }}
        + {{ waterfall("customer_cost") }} as {{ type_amount() }}
    ) as cost_to_serve_amount
{%- endmacro %}

{# Why a margin is empty, where it is. #}
{% macro margin_missing_reason(margin) -%}
    case
        when {{ margin }} is null
        then
            'unit costs are known for too little of the goods sold: deliver unit_cost in products, or cost_amount in order_lines'
    end
{%- endmacro %}

{#
  The columns of the waterfall in the order a reader goes down it, of a relation that holds sums and steps; the
  margin rate where `is_rated`. An amount of 0 is shown only where what it rests on was delivered.
#}
{% macro waterfall_columns(alias, is_rated="true") -%}
    {%- for name, what in [
        ("gross", "customer_orders"),
        ("discount", ["customer_orders", "discounts"]),
        ("shipping", ["customer_orders", "shipping_charges"]),
        ("refund", ["customer_orders", "customer_refunds"]),
        ("net", "customer_orders"),
        ("goods_cost", ["customer_orders", "order_lines", "goods_costs"]),
        ("cm1", "customer_orders"),
        ("shipping_cost", ["customer_orders", "shipping_costs"]),
        ("payment_fee", ["customer_orders", "payment_fees"]),
        ("order_pool_cost", ["customer_orders", "order_pools"]),
        ("order_cost", "customer_orders"),
        ("cm2", "customer_orders"),
        ("interaction_cost", "interaction_costs"),
        ("campaign_cost", "campaign_contacts"),
        ("ticket_cost", ["ticket_customers", "compensations"]),
        ("points_cost", "points_values"),
        ("customer_pool_cost", "customer_pools"),
        ("customer_cost", []),
        ("cm3", []),
        ("sustaining_cost", []),
        ("profit", []),
    ] %}
        {% set amount = alias ~ "." ~ name ~ "_amount" -%}
        {{ zero_when_delivered(what, amount) if what else amount }}
        as {{ name }}_amount,
    {%- endfor %}
    {{ div(alias ~ ".costed_amount", alias ~ ".goods_amount") }} as cost_coverage_rate,
    case
        when {{ alias }}.net_amount > 0 and {{ is_rated }}
        then {{ div(alias ~ ".profit_amount", alias ~ ".net_amount") }}
    end as margin_rate,
    {{ margin_missing_reason(alias ~ ".profit_amount") }} as profit_missing_reason,
    {{
        zero_when_delivered(
            ["campaign_contacts", "objectives"], alias ~ ".acquisition_cost_amount"
        )
    }} as acquisition_cost_amount,
    {{ alias }}.cost_to_serve_amount
{%- endmacro %}
