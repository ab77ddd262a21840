{# What came in, was used, and may not mean what it was taken for. #}
{%- set guest_words = [
    "0",
    "-1",
    "anonymous",
    "anonym",
    "cash",
    "gast",
    "guest",
    "guest customer",
    "invitado",
    "invité",
    "laufkunde",
    "n/a",
    "none",
    "null",
    "ospite",
    "unknown",
    "walk-in",
    "walk in",
    "散客",
    "匿名",
    "游客",
] -%}
{# amounts, counts, reasons and texts have no ends; every other question has a scale #}
{%- set open_roles = [
    "category_spend",
    "expected_price",
    "considered_count",
    "wom_told_count",
    "churn_reason",
    "comment",
] -%}
with
    kinds as (select * from {{ ref("data_warning_kinds") }}),

    of_orders as (select * from {{ ref("int_orders__warnings") }}),

    answers as (
        select
            *,
            case
                when is_off_scale
                then 'answer off the scale'
                when role is null
                then 'question not explained'
                when is_unreadable
                then 'answer not understood'
                when
                    role in ('{{ open_roles | join("', '") }}')
                    or (scale_min is not null and scale_max is not null)
                    or given_score is null
                then null
                when is_reversed
                then 'turned question without a scale'
                else 'question without a scale'
            end as warning,
            -- words may name people, and a long number may be a telephone's: both stay
            -- behind
            case
                when not is_off_scale
                then ''
                when abs(given_score) >= 10000
                then ': a number of five digits or more'
                when given_score = floor(given_score)
                then
                    ': ' || cast(cast(given_score as bigint) as {{ dbt.type_string() }})
                else ': ' || cast(given_score as {{ dbt.type_string() }})
            end as code
        from {{ ref("fct_survey_answers") }}
    ),

    codes as (
        select
            warning,
            source,
            survey_id,
            question_code,
            code,
            count(*) as row_count,
            row_number() over (
                partition by warning, source, survey_id, question_code
                order by count(*) desc, code
            ) as place
        from answers
        where warning is not null
        group by warning, source, survey_id, question_code, code
    ),

    named as (
        select
            *,
            survey_id
            || ', '
            || question_code
            || case when place <= 5 then code else ': other codes' end as detail
        from codes
    ),

    of_answers as (
        select warning, source, detail, cast(sum(row_count) as bigint) as row_count
        from named
        group by warning, source, detail
    ),

    -- an arrow of the feed survey_paths from or to a construct without any question
    without_questions as (
        select
            'construct without a question' as warning,
            paths.source,
            paths.survey_id || ', ' || paths.construct as detail,
            count(*) as row_count
        from
            (
                {% for side in ["cause", "effect"] %}
                    select source, survey_id, lower(trim({{ side }})) as construct
                    from {{ ref("stg_survey_paths__paths") }}
                    {% if not loop.last %}
                        union all
                    {% endif %}
                {% endfor %}
            ) as paths
        left join
            {{ ref("dim_survey_questions") }} as questions
            on paths.source = questions.source
            and paths.survey_id = questions.survey_id
            and paths.construct = questions.construct
        where questions.question_key is null
        group by paths.source, paths.survey_id, paths.construct
    ),

    without_peers as (
        select
            'all customers are peers' as warning,
            source,
            '{{ var("wallet_peer_column") }}' as detail,
            count(distinct customer_key) as row_count
        from {{ ref("fct_wallet_spend") }}
        where peer_level = 'all customers'
        group by source
    ),

    without_margins as (
        select
            'no unit costs' as warning,
            customers.source,
            customers.currency_code as detail,
            count(*) as row_count
        from {{ ref("dim_customers") }} as customers
        inner join
            {{ ref("dim_value_basis") }} as value_basis
            on customers.currency_code = value_basis.currency_code
        where
            customers.base = 'customer'
            and customers.order_count > 0
            and value_basis.value_basis = 'net_revenue'
        group by customers.source, customers.currency_code
    ),

    -- the open gaps are longer still, so half of the returns take longer than this
    usual_gaps as (
        select
            source,
            count(*) as gap_count,
            {{ percentile("order_gap_days", 0.5) }} as median_days
        from {{ ref("fct_order_gaps") }}
        where is_closed
        group by source
    ),

    lapsed_too_soon as (
        select
            'churn_days under the usual gap' as warning,
            source,
            'churn_days {{ var("churn_days") }}, median ' || cast(
                cast(floor(median_days) as bigint) as {{ dbt.type_string() }}
            ) as detail,
            gap_count as row_count
        from usual_gaps
        where
            median_days > {{ var("churn_days") }} and gap_count >= {{ var("min_base") }}
    ),

    usual_customers as (
        select
            source,
            sum(order_count) as order_count,
            {{ percentile("order_count", 0.5) }} as median_count
        from {{ ref("dim_customers") }}
        where base = 'customer' and order_count > 0
        group by source
    ),

    -- a till or a shop may write one number for all who did not log in
    like_guests as (
        select
            'customer like a guest' as warning,
            customers.source,
            customers.customer_id as detail,
            cast(customers.order_count as bigint) as row_count
        from {{ ref("dim_customers") }} as customers
        inner join usual_customers on customers.source = usual_customers.source
        where
            customers.base = 'customer'
            and customers.order_count > 0
            and (
                lower(customers.customer_id) in ('{{ guest_words | join("', '") }}')
                or (
                    customers.order_count >= 20 * usual_customers.median_count
                    and customers.order_count >= 0.05 * usual_customers.order_count
                    and customers.order_count >= {{ var("min_base") }}
                )
            )
    ),

    warned as (
        {% for warning in [
            "of_orders",
            "lapsed_too_soon",
            "without_peers",
            "without_margins",
            "like_guests",
            "without_questions",
            "of_answers",
        ] %}
            select warning, source, detail, row_count
            from {{ warning }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            {{
                made_key(
                    ["warned.warning", "kinds.feed", "warned.source", "warned.detail"]
                )
            }} as warning_key,
            warned.warning,
            kinds.warning_zh,
            kinds.feed,
            warned.source,
            warned.detail,
            warned.row_count,
            kinds.remedy,
            kinds.remedy_zh,
            kinds.severity
        from warned
        left join kinds on warned.warning = kinds.warning
    )

select *
from final
